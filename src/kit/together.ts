/**
 * Waits for all, also after one has failed: a transaction must not end while a statement of it is on its way. What is
 * begun together costs one round trip.
 *
 * @throws the first one's error, in their order
 */
export async function together<T extends readonly unknown[]>(
  ...work: { readonly [at in keyof T]: Promise<T[at]> }
): Promise<T> {
  await Promise.allSettled(work)
  return (await Promise.all(work)) as unknown as T
}
