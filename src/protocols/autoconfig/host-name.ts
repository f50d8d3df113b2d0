import { domainToASCII } from 'node:url'

/**
 * Checks a host name that came from a user or a stranger's answer: at least two labels, no address, no path. The
 * last label has a letter, so that `127.0.0.1` is none.
 * @returns the name in lower case and in ASCII, without a dot at its end; undefined for anything else
 */
export function readHostName(text: string): string | undefined {
  const bare = text.trim().replace(/\.$/, '')
  if (bare === '' || bare.length > 253 || /[\s/\\@:?#%[\]]/.test(bare)) return undefined
  const name = domainToASCII(bare).toLowerCase()
  const labels = name.split('.')
  const fits = labels.every((label) => /^(?!-)[a-z0-9-]{1,63}(?<!-)$/.test(label))
  return fits && labels.length >= 2 && /[a-z]/.test(labels.at(-1) ?? '') ? name : undefined
}

/** Tells whether a number is a TCP port. */
export function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65_536
}
