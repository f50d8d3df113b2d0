/** One line of `doctor`. */
export interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
  /** What to do. */
  readonly advice?: string
}
