/** Sends mail of the operator's own, to those who asked to be told. Never a user's mail. */
export interface Mailer {
  /** Hands a message to the operator's mail server. @throws ProviderError */
  send(
    message: { readonly to: readonly string[]; readonly subject: string; readonly text: string },
    signal: AbortSignal,
  ): Promise<void>
}
