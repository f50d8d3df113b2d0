import { ProviderError } from '../../kit/provider-error.ts'

/**
 * Runs what comes before a send. Whatever fails in it, nothing has been sent: an error that would leave that open says
 * so, and the send may be tried again.
 */
export async function beforeSending<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ProviderError) || error.details.answered !== false) throw error
    throw new ProviderError(error.kind, error.message, { ...error.details, answered: true })
  }
}
