/** The part of pino's interface that the code uses: an object of fields, then the event name. */
export interface Logger {
  trace(fields: object, event: string): void
  debug(fields: object, event: string): void
  info(fields: object, event: string): void
  warn(fields: object, event: string): void
  error(fields: object, event: string): void
  fatal(fields: object, event: string): void
  child(fields: Record<string, unknown>): Logger
}

const ignore = () => {}

/** A logger that writes nothing. */
export const silentLogger: Logger = {
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  fatal: ignore,
  child: () => silentLogger,
}
