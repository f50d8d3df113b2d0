/** The server must not start like this, and the message says why and what to do. The CLI exits with code 2. */
export class StartError extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'StartError'
  }
}
