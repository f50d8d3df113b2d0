import assert from 'node:assert/strict'
import { ProviderError, type ProviderErrorKind } from '../../../src/kit/provider-error.ts'

/** A check for `assert.rejects`: a ProviderError of that kind, and whatever more. */
export function fails(kind: ProviderErrorKind, more: (error: ProviderError) => void = () => {}) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof ProviderError, String(error))
    assert.equal(error.kind, kind, error.message)
    more(error)
    return true
  }
}
