import { inspect } from 'node:util'

const SHOWN = '[secret]'

/**
 * A value that must not be printed. It shows as `[secret]` in logs, JSON, templates and inspection.
 * `open()` is called in core/vault and at the call that sends the value, nowhere else.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** Gives the value itself. */
  open(): string {
    return this.#value
  }

  toString(): string {
    return SHOWN
  }

  toJSON(): string {
    return SHOWN
  }

  [inspect.custom](): string {
    return SHOWN
  }
}
