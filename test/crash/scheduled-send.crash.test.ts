import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { killAtSendingSteps } from './scheduled-kills.ts'

test('a scheduled send, killed at each of its steps: never two sends, never none without a word', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'grantway-scheduled-kills-'))
  await killAtSendingSteps({ GRANTWAY_DATA_DIR: folder }, [
    { when: 'before', step: 'scheduledSends.claim', sent: 1, code: 'success' },
    { when: 'after', step: 'scheduledSends.claim', sent: 1, code: 'success' },
    { when: 'before', step: 'scheduledSends.begin', sent: 1, code: 'success' },
    { when: 'after', step: 'scheduledSends.begin', sent: 0, code: 'failed' },
    { when: 'before', step: 'scheduledSends.close', sent: 1, code: 'failed' },
    { when: 'before', step: 'outbox.insert', sent: 1, code: 'failed' },
    { when: 'after', step: 'scheduledSends.close', sent: 1, code: 'success' },
  ])
  await rm(folder, { recursive: true, force: true })
})
