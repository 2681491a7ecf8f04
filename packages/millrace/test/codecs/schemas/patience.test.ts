import { expect, test, vi } from 'vitest'
import { patiently } from '../../../src/codecs/schemas/patience.ts'
import { ConnectionError } from '../../../src/errors/index.ts'

test('waiting for a registry is reported with the reason, and ends once it answers', async () => {
  vi.useFakeTimers()
  try {
    const warn = vi.fn<(message: string) => void>()
    let isUp = false
    const call = async (): Promise<string> => {
      if (isUp) return 'schema'
      throw new ConnectionError('REGISTRY_UNAVAILABLE', 'Cannot get schema 5: its response is not JSON')
    }
    const seen: string[] = []
    const waits = (problem: string): (() => void) => {
      seen.push(problem)
      return () => void seen.splice(seen.indexOf(problem), 1)
    }
    const waiting = patiently('the registry', call, { signal: new AbortController().signal, warn, waits })
    await vi.advanceTimersByTimeAsync(0)
    // Whoever looks sees it at once, and once.
    expect(seen).toEqual([
      'waiting for the registry: reading is paused until it answers. Cannot get schema 5: its response is not JSON',
    ])
    await vi.advanceTimersByTimeAsync(6000)
    expect(warn.mock.calls).toEqual([
      ['Waiting for the registry: reading is paused until it answers. Cannot get schema 5: its response is not JSON'],
    ])
    isUp = true
    await vi.advanceTimersByTimeAsync(20_000)
    expect(await waiting).toBe('schema')
    expect(seen).toEqual([])
    expect(warn).toHaveBeenLastCalledWith('No longer waiting for the registry')
  } finally {
    vi.useRealTimers()
  }
})

// It was thrown in a timer, where it ended the process.
test('a callback for warnings that throws ends the wait with an error (K5)', async () => {
  vi.useFakeTimers()
  try {
    const call = (): Promise<never> => Promise.reject(new ConnectionError('REGISTRY_UNAVAILABLE', 'It is down'))
    const warn = (): never => {
      throw new TypeError('injected')
    }
    const waiting = patiently('the registry', call, { signal: new AbortController().signal, warn })
    const failed = expect(waiting).rejects.toMatchObject({
      code: 'UNEXPECTED',
      message: 'Cannot report waiting for the registry as the callback for it failed',
    })
    await vi.advanceTimersByTimeAsync(20_000)
    await failed
  } finally {
    vi.useRealTimers()
  }
})
