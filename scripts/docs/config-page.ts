import { CONFIG_FILE_VARIABLE, listSettings, SETTINGS, type Setting } from '../../src/config/schema.ts'

/** Renders docs/config.md from the schema. */
export function configPage(): string {
  const { google, microsoft, yahoo, icloud, zoom, ...own } = SETTINGS
  const parts = [
    INTRODUCTION,
    table(listSettings(own)),
    ENDPOINTS,
    ...Object.entries({ Google: google, Microsoft: microsoft, Yahoo: yahoo, iCloud: icloud, Zoom: zoom }).map(
      ([name, group]) => `### ${name}\n\n${table(listSettings(group))}`,
    ),
    '## Examples',
    ['```sh', ...listSettings(own).map(({ name, example }) => `${name}=${example}`), '```'].join('\n'),
  ]
  return `${parts.join('\n\n')}\n`
}

function table(settings: readonly Setting<unknown>[]): string {
  const rows = settings.map((setting) => {
    const name = setting.secret ? `\`${setting.name}\` (\`_FILE\`)` : `\`${setting.name}\``
    const warning = setting.warning ? ` Warns at the start: ${setting.warning.sentence}.` : ''
    return `| ${name} | ${setting.kind.type} | ${defaultOf(setting)} | ${setting.sentence}${warning} |`
  })
  return [`| Variable | Value | Default | Meaning |`, '| --- | --- | --- | --- |', ...rows].join('\n')
}

function defaultOf(setting: Setting<unknown>): string {
  if (setting.defaultNote !== undefined) return setting.defaultNote
  return setting.defaultText ? `\`${setting.defaultText}\`` : 'none'
}

const INTRODUCTION = `<!-- Generated from src/config/schema.ts by \`npm run gen\`. -->

# Configuration

Grantway is configured by environment variables. They are read once, at the start.

- A value that cannot be used or a \`GRANTWAY_\` variable that does not exist stops the start (exit code 2). All
  problems are listed at once, each with its variable's name. \`grantway doctor\` shows the same.
- An empty value is refused, too; for a list it means "none".
- A variable marked \`_FILE\` holds a secret. It may be given as \`NAME_FILE\` with the path of a file that holds the
  value; white space around it is dropped. Not both at once.
- \`${CONFIG_FILE_VARIABLE}\` may name a JSON file with one object whose keys are the same variable names. Values are
  strings, numbers, \`true\`/\`false\` or, for lists, arrays of strings. The environment wins over the file.
- Variables that container platforms inject for a service of that name (\`*_SERVICE_*\`, \`*_PORT_*_TCP*\`, a
  \`GRANTWAY_PORT\` that begins with \`tcp://\`) are ignored with a warning.
- \`NODE_EXTRA_CA_CERTS\` is Node's own variable and must be set in the environment: a file with extra CA certificates
  in PEM form, for private mail servers.`

const ENDPOINTS = `## Provider endpoints

For national clouds, private endpoints and tests. They are set by the operator, so exactly these origins are trusted,
whether they are private or not. URLs carry no credentials, query or fragment. \`{tenant}\` stands for the tenant of
the connector and may be in the path only.`
