/** Tells whether a client is to be shown a page: what it accepts names HTML, or anything and not JSON before it. */
export function wantsHtml(accept: string | undefined): boolean {
  if (accept === undefined || accept.trim() === '') return true
  const accepted = new Set(
    accept
      .toLowerCase()
      .split(',')
      .map((range) => range.split(';').map((part) => part.trim()))
      .filter(([, ...parameters]) => !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter)))
      .map(([range]) => range),
  )
  if (accepted.has('text/html') || accepted.has('text/*')) return true
  return accepted.has('*/*') && !accepted.has('application/json')
}
