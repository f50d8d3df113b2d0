/** One measured value; `bar` is what it must reach, where there is one. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly bar?: number
}
