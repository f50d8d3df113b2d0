/** Ids are text; the brand keeps one kind from being passed for another. */
export type ApplicationId = string & { readonly __brand: 'ApplicationId' }
export type GrantId = string & { readonly __brand: 'GrantId' }
export type ConnectorId = string & { readonly __brand: 'ConnectorId' }
export type CredentialId = string & { readonly __brand: 'CredentialId' }

export const applicationId = (id: string): ApplicationId => id as ApplicationId
export const grantId = (id: string): GrantId => id as GrantId
export const connectorId = (id: string): ConnectorId => id as ConnectorId
export const credentialId = (id: string): CredentialId => id as CredentialId
