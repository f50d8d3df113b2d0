/** Writes UIDs as a sequence set: `1:5,9`. */
export function uidSet(uids: readonly number[]): string {
  const ranges: string[] = []
  let from: number | undefined
  let to = 0
  for (const uid of [...uids].sort((a, b) => a - b)) {
    if (from !== undefined && uid <= to + 1) {
      to = uid
      continue
    }
    if (from !== undefined) ranges.push(from === to ? `${from}` : `${from}:${to}`)
    from = uid
    to = uid
  }
  if (from !== undefined) ranges.push(from === to ? `${from}` : `${from}:${to}`)
  return ranges.join(',')
}
