import { createServer } from 'node:net'
import { open } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { leavingNothingOpen } from './handles.ts'

/** A guard of the guard: what it looks for does show. */
test.each([
  {
    name: 'a timer',
    leave: async () => {
      const timer = setTimeout(() => {}, 60_000)
      return async () => clearTimeout(timer)
    },
  },
  {
    name: 'a server',
    leave: async () => {
      const server = createServer().listen(0, '127.0.0.1')
      return async () => void server.close()
    },
  },
  {
    name: 'a file',
    leave: async () => {
      const file = await open(import.meta.filename)
      return () => file.close()
    },
  },
])('finds $name that is left open', async ({ leave }) => {
  let close = async (): Promise<void> => {}
  const run = async (): Promise<void> => {
    close = await leave()
  }
  await expect(leavingNothingOpen(run, 50)).rejects.toThrow()
  await close()
})
