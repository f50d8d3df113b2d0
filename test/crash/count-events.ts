import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'

/**
 * Counts the events of a grant, or the rows of the audit log that go with them, in the database itself.
 * @param database  which one, as environment variables
 */
export async function countEvents(
  database: { readonly [name: string]: string },
  grantId: string,
  trigger: string,
): Promise<number> {
  return count(
    database,
    `select count(*) as n from outbox where grant_id = '${grantId}' and "trigger" = '${trigger}'`,
  )
}

/** Counts what was done to a grant, as the audit log says: it is written in the transaction of the change. */
export async function countAudited(
  database: { readonly [name: string]: string },
  grantId: string,
  action: string,
): Promise<number> {
  return count(
    database,
    `select count(*) as n from audit_log where target = 'grant:${grantId}' and action = '${action}'`,
  )
}

async function count(database: { readonly [name: string]: string }, query: string): Promise<number> {
  const folder = database['GRANTWAY_DATA_DIR']
  if (folder !== undefined) {
    const file = new DatabaseSync(join(folder, 'grantway.db'), { readOnly: true })
    try {
      return Number(file.prepare(query).get()?.['n'])
    } finally {
      file.close()
    }
  }
  const client = new pg.Client({ connectionString: database['GRANTWAY_DATABASE_URL'] ?? '' })
  await client.connect()
  try {
    const { rows } = await client.query<{ readonly n: string }>(query)
    return Number(rows[0]?.n)
  } finally {
    await client.end()
  }
}
