import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/** sun_path holds 108 bytes on Linux and 104 on macOS, with the closing zero (unix(7), checked 2026-11). */
const LONGEST_PATH_BYTES = 100

const noteOf = (dataDir: string): string => join(resolve(dataDir), 'admin.sock.path')

/**
 * Chooses where the socket of a data folder stands: in the folder, or, where that path is too long for a
 * socket, in a fresh private folder under the system's temporary one, noted in the data folder. What a dead
 * server left there is removed.
 */
export function chooseSocketPath(dataDir: string): string {
  const inside = join(resolve(dataDir), 'admin.sock')
  removeSocket(dataDir, inside)
  if (Buffer.byteLength(inside) <= LONGEST_PATH_BYTES) return inside
  // A temporary folder may have a long path itself; /tmp is there on every system that has such sockets.
  const roomy = Buffer.byteLength(tmpdir()) <= LONGEST_PATH_BYTES - 40
  const outside = join(mkdtempSync(join(roomy ? tmpdir() : '/tmp', 'grantway-')), 'admin.sock')
  writeFileSync(noteOf(dataDir), outside, { mode: 0o600 })
  return outside
}

/** Finds the path that a running server of this folder would have chosen. */
export function findSocketPath(dataDir: string): string {
  return readNote(dataDir) ?? join(resolve(dataDir), 'admin.sock')
}

/** Removes the socket and what stands around it; harmless when nothing is there. */
export function removeSocket(dataDir: string, path: string): void {
  rmSync(path, { force: true })
  forgetNotedPath(dataDir)
}

function forgetNotedPath(dataDir: string): void {
  const noted = readNote(dataDir)
  if (noted === undefined) return
  // The folder was made by chooseSocketPath and holds the socket only; another one's folder is left alone.
  if (/[\\/]grantway-[A-Za-z0-9]+[\\/]admin\.sock$/.test(noted)) {
    rmSync(dirname(noted), { recursive: true, force: true })
  }
  rmSync(noteOf(dataDir), { force: true })
}

function readNote(dataDir: string): string | undefined {
  try {
    return readFileSync(noteOf(dataDir), 'utf8').trim()
  } catch {
    return undefined // no note: the socket, if any, stands in the data folder
  }
}
