import type { AppCommands } from './commands.ts'
import { StartError } from './start-error.ts'

const absent = (): Promise<never> => Promise.reject(new StartError('this build holds the command line only'))

/** The application as the command line sees it. */
export const app: AppCommands = {
  serve: absent,
  demo: absent,
  sandbox: absent,
  migrate: absent,
  admin: absent,
  doctor: absent,
  openapi: absent,
}
