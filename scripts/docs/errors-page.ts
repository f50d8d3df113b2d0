import { ERRORS } from '../../src/contract/errors.ts'

/** Renders docs/errors.md from the error catalogue. */
export function errorsPage(): string {
  const rows = Object.values(ERRORS)
    .map(({ status, type, message, meaning }) => ({ status, type, message, meaning }))
    .toSorted((a, b) => a.status - b.status || (a.type < b.type ? -1 : 1))
    .map(({ status, type, message, meaning }) => `| ${status} | \`${type}\` | ${message} | ${meaning} |`)
  return `${[INTRODUCTION, '| Status | Type | Default message | When |\n| --- | --- | --- | --- |'].join('\n\n')}\n${rows.join('\n')}\n`
}

const INTRODUCTION = `<!-- Generated from src/contract/errors.ts by \`npm run gen\`. -->

# Errors

Every error is answered as

\`\`\`json
{ "request_id": "…", "error": { "type": "grant.expired", "message": "…", "provider_error": { } } }
\`\`\`

Decide by \`type\` and the HTTP status. The message is for people and may name the field, or say more than the default
below. \`provider_error\` is there when a provider had something to say: its own words, as an object, without secrets.
The log has the details under the same \`request_id\`. \`connect/token\`, \`connect/revoke\` and \`tokeninfo\` answer
errors in the form of OAuth (RFC 6749 section 5.2) instead.`
