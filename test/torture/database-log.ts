import pg from 'pg'
import { operatorKeys } from '../../src/app/encryption-keys.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createGrantVault } from '../../src/core/grants/grant-vault.ts'
import { openPending } from '../../src/core/grants/pending.ts'
import type { GrantSecret } from '../../src/core/ports/identity.ts'
import type { GrantSecretRecord, PendingSecretRecord } from '../../src/core/ports/records.ts'
import { loadDataKeys } from '../../src/core/vault/data-keys.ts'
import { createVault } from '../../src/core/vault/vault.ts'
import { systemClock } from '../../src/kit/clock.ts'
import { randomIds } from '../../src/kit/ids.ts'
import { silentLogger } from '../../src/kit/logger.ts'
import { openPostgresDatabase } from '../../src/storage/engines/postgres.ts'
import type { History } from './check-history.ts'

// Triggers of the harness write down what was committed when, so that nothing of the product has to be believed.
const TRIGGERS = `
create table torture_secrets (seq bigserial primary key, place text, row_id text, application_id text, sealed text);
create table torture_events (seq bigserial primary key, trigger text, payload jsonb);
create function torture_note_grant() returns trigger language plpgsql as $$ begin
  insert into torture_secrets (place, row_id, application_id, sealed)
    values ('grant', new.grant_id, new.application_id, new.sealed_secret);
  return new; end $$;
create function torture_note_pending() returns trigger language plpgsql as $$ begin
  insert into torture_secrets (place, row_id, application_id, sealed)
    values ('pending', new.id, new.application_id, new.sealed);
  return new; end $$;
create function torture_note_event() returns trigger language plpgsql as $$ begin
  insert into torture_events (trigger, payload) values (new.trigger, new.payload::jsonb);
  return new; end $$;
create trigger torture after insert or update of sealed_secret on grant_secrets
  for each row execute function torture_note_grant();
create trigger torture after insert or update of sealed on pending_secrets
  for each row execute function torture_note_pending();
create trigger torture after insert on outbox for each row execute function torture_note_event();
create table torture_steps (seq bigserial primary key, at_ms double precision, place text, step text, row jsonb);
create function torture_note_step() returns trigger language plpgsql as $$ begin
  insert into torture_steps (at_ms, place, step, row) values (
    extract(epoch from clock_timestamp()) * 1000, tg_table_name, lower(tg_op),
    case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end
      - '{sealed,sealed_secret,sealed_access_token,sealed_superseded,settings,reason,scope}'::text[]);
  return null; end $$;
create trigger torture_step after insert or update or delete on grant_secrets
  for each row execute function torture_note_step();
create trigger torture_step after insert or update or delete on seen_tokens
  for each row execute function torture_note_step();
create trigger torture_step after insert or update or delete on pending_secrets
  for each row execute function torture_note_step();
create trigger torture_step after insert or update or delete on grants
  for each row execute function torture_note_step();
`

/** What happened to a row of the heart, without what is sealed. */
export interface Step {
  /** Unix milliseconds, fractional */
  readonly atMs: number
  readonly place: string
  readonly step: string
  readonly row: object
}

/** Reads every committed change of grants, their secrets, seen tokens and pending secrets, in order. */
export function readSteps(url: string): Promise<readonly Step[]> {
  return query<Step>(url, 'select at_ms as "atMs", place, step, row from torture_steps order by seq')
}

/** Makes the database note every stored secret and every event from now on. The tables must be there. */
export async function noteEverything(url: string): Promise<void> {
  await query(url, TRIGGERS)
}

/** Ends the connection with which a random living process shows that it lives. @returns whether there was one */
export async function cutOneLiveness(url: string): Promise<boolean> {
  const text = `select pg_terminate_backend(pid) from pg_locks
    where locktype = 'advisory' and mode = 'ExclusiveLock' and granted order by random() limit 1`
  return (await query(url, text)).length === 1
}

type Noted = Pick<History, 'committed' | 'granted' | 'expired' | 'stored'>

/**
 * Reads what was noted and what stands in the database, secrets opened.
 * @param encryptionKeys  as in GRANTWAY_ENCRYPTION_KEYS
 */
export async function readNotes(url: string, encryptionKeys: string): Promise<Noted> {
  const config = loadConfig({ GRANTWAY_DATABASE_URL: url, GRANTWAY_ENCRYPTION_KEYS: encryptionKeys })
  const database = await openPostgresDatabase({ url, poolSize: 1, ids: randomIds, logger: silentLogger })
  try {
    const keys = { operatorKeys: operatorKeys(config, silentLogger), clock: systemClock, ids: randomIds }
    const vault = createVault(await loadDataKeys({ database, ...keys }))
    const grantVault = createGrantVault(vault)
    const open = async (row: SealedRow): Promise<string> => {
      const owner = { id: row.row_id, grantId: row.row_id, applicationId: row.application_id }
      const secret: GrantSecret =
        row.place === 'grant'
          ? await grantVault.secret({ ...owner, sealedSecret: row.sealed } as unknown as GrantSecretRecord)
          : (await openPending(vault, { ...owner, sealed: row.sealed } as unknown as PendingSecretRecord))
              .secret
      return secret.kind === 'refresh-token' ? secret.refreshToken.open() : ''
    }
    const openAll = <T extends SealedRow>(rows: readonly T[]) =>
      Promise.all(rows.map(async (row) => ({ ...row, token: await open(row) })))
    const committed = await openAll(await query<SealedRow>(url, 'select * from torture_secrets'))
    const events = await query<{ readonly grant: string; readonly reason: string }>(
      url,
      `select payload #>> '{object,email}' as grant, payload #>> '{object,reason,code}' as reason
       from torture_events where trigger = 'grant.expired' order by seq`,
    )
    const stored = await openAll(
      await query<SealedRow & { readonly email: string; readonly status: string }>(
        url,
        `select 'grant' as place, s.grant_id as row_id, s.application_id, s.sealed_secret as sealed, g.email, g.status
         from grant_secrets s join grants g on g.id = s.grant_id`,
      ),
    )
    return {
      committed: new Set(await Promise.all(committed.map(open))),
      granted: new Set(await Promise.all(committed.filter(({ place }) => place === 'grant').map(open))),
      expired: events,
      stored: new Map(
        await Promise.all(
          stored.map(async (row) => [row.email, { status: row.status, token: await open(row) }] as const),
        ),
      ),
    }
  } finally {
    await database.close()
  }
}

interface SealedRow {
  readonly place: 'grant' | 'pending'
  readonly row_id: string
  readonly application_id: string
  readonly sealed: string
}

async function query<T extends object>(url: string, text: string): Promise<readonly T[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined) // the server may be restarted meanwhile
  await client.connect()
  try {
    const { rows } = await client.query<T>(text)
    return rows
  } finally {
    await client.end()
  }
}
