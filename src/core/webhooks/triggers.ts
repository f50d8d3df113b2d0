import { matchedTriggers } from '../../contract/triggers.ts'

/** Whether a destination with these `trigger_types` gets events of this trigger. */
export function matchesTrigger(triggerTypes: readonly string[], trigger: string): boolean {
  return matchedTriggers(triggerTypes).includes(trigger)
}
