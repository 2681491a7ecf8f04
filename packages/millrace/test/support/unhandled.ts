/** Exceptions and rejections that nothing has caught during a test. */
import { afterEach, beforeEach } from 'vitest'

/** @returns those of the test that runs; empty at its beginning */
export function unhandledErrors(): readonly unknown[] {
  const unhandled: unknown[] = []
  const note = (error: unknown): void => void unhandled.push(error)
  beforeEach(() => {
    unhandled.length = 0
    process.on('uncaughtException', note)
    process.on('unhandledRejection', note)
  })
  afterEach(() => {
    process.off('uncaughtException', note)
    process.off('unhandledRejection', note)
  })
  return unhandled
}
