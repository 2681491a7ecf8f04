/** Waiting for what other programs do. */

/**
 * Waits until a condition holds, looking every 20 ms.
 *
 * @throws {Error} the reason of `signal`, when that is aborted first
 */
export async function until(condition: () => boolean | Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!(await condition())) {
    signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
