import { readFileSync } from 'node:fs'

/** Reads the version of this package from its package.json (beside src/ in a clone, beside dist/ when installed). */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest
  return hasVersion && typeof manifest.version === 'string' ? manifest.version : '0.0.0'
}
