/** One measured value, and what it must stay below (`bar`) or reach (`atLeast`), where there is such a thing. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly bar?: number
  readonly atLeast?: number
}
