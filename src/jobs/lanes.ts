/** Counts what is under way, for each destination and in all, and knows when it is worth looking for more. */
export interface Lanes {
  /** Whether anything more may be begun. After a no, `end` tells when it is worth asking again. */
  hasRoom(): boolean
  /** How much more may be begun for this lane. */
  freeOf(lane: string, isFailing: boolean): number
  begin(lane: string): void
  /** @returns whether there is room again for a lane that had more than fitted */
  end(lane: string): boolean
  /** The lane may have more due than there was room for. */
  noteMore(lane: string): void
}

const MAX_IN_ALL = 256
const MAX_PER_LANE = 8
/** A destination that fails mostly wastes the room of others: it keeps only enough to show that it is back. */
const MAX_PER_FAILING_LANE = 2

export function createLanes(): Lanes {
  const underWay = new Map<string, number>()
  const haveMore = new Set<string>()
  let inAll = 0
  let wasFull = false
  const countOf = (lane: string) => underWay.get(lane) ?? 0
  return {
    hasRoom() {
      wasFull = inAll >= MAX_IN_ALL
      return !wasFull
    },
    freeOf(lane, isFailing) {
      const most = isFailing ? MAX_PER_FAILING_LANE : MAX_PER_LANE
      return Math.min(most - countOf(lane), MAX_IN_ALL - inAll)
    },
    begin(lane) {
      underWay.set(lane, countOf(lane) + 1)
      inAll += 1
    },
    end(lane) {
      const left = countOf(lane) - 1
      if (left > 0) underWay.set(lane, left)
      else underWay.delete(lane)
      inAll -= 1
      const roomInLane = left <= MAX_PER_LANE / 2 && haveMore.delete(lane)
      const roomAtAll = wasFull && inAll < MAX_IN_ALL
      if (roomAtAll) wasFull = false
      return roomInLane || roomAtAll
    },
    noteMore(lane) {
      haveMore.add(lane)
    },
  }
}
