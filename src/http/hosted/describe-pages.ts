/** Parameters of `/v3/connect/auth` for the OpenAPI document (contract/auth.md 3), with what each is for. */
const PARAMETERS: readonly (readonly [name: string, description: string, required?: true])[] = [
  ['client_id', 'The application’s id', true],
  ['redirect_uri', 'A callback URI of the application, byte for byte', true],
  ['response_type', '`code`, or `adminconsent` (Microsoft)', true],
  ['provider', 'A provider, or several separated by commas; left out: the user chooses'],
  ['scope', 'Scopes separated by spaces; left out: the connector’s'],
  ['access_type', '`offline` for a refresh token with the code, or `online`'],
  ['state', 'Returned as it is; 256 characters at most'],
  ['prompt', '`select_provider`, `detect` or both in the order wanted'],
  ['login_hint', 'The user’s address; where it has a grant, that grant is authenticated again'],
  ['include_grant_scopes', '`true`: asks for the scopes of the grant of `login_hint` too'],
  ['code_challenge', 'PKCE challenge'],
  ['code_challenge_method', '`S256` or `plain`'],
  ['credential_id', 'A credential to use instead of the connector’s own'],
  ['options', '`smtp_required`, `exclude_google_granted_scopes`; separated by commas'],
]

const PAGE = {
  default: {
    description: 'A page that says what happened; the error envelope to clients that do not accept text/html',
    content: { 'text/html': { schema: { type: 'string' } } },
  },
}
const tags = ['Authentication']

/** Describes what a browser is sent to, as paths of the OpenAPI document. The pages between are nobody's to call. */
export function describeBrowserPaths(): { readonly [path: string]: { readonly [key: string]: unknown } } {
  return {
    '/v3/connect/auth': {
      get: {
        operationId: 'startHostedAuthentication',
        summary: 'Send a user’s browser here to connect his account',
        tags,
        security: [],
        parameters: PARAMETERS.map(([name, description, required]) => ({
          name,
          in: 'query',
          required: required === true,
          description,
          schema: { type: 'string' },
        })),
        responses: {
          302: { description: 'To the provider, to a page of this server, or back with an error' },
          ...PAGE,
        },
      },
    },
    '/v3/connect/callback': {
      get: {
        operationId: 'finishHostedAuthentication',
        summary: 'Where providers send the browser back to; register it there',
        tags,
        security: [],
        responses: { 302: { description: 'Back to the application, with `code` or `error`' }, ...PAGE },
      },
    },
  }
}
