/** Holder of an attempt whose process gave up: never a process id, so never alive. */
export const NOBODY = ''
