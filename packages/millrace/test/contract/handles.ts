/**
 * Sockets, timers and files that are open in this process.
 */
import { readdirSync, readlinkSync } from 'node:fs'
import { expect } from 'vitest'

/** Runs something, and expects that nothing is open a moment afterwards that was not before. */
export async function leavingNothingOpen(run: () => Promise<void>, momentMs = 5000): Promise<void> {
  const before = open()
  await run()
  // What is closed goes with one of the next turns.
  await expect.poll(() => surplus(before, open()), { timeout: momentMs }).toEqual([])
}

const WATCHED = /^(?:TCP|TLS|Pipe|Timeout|FSEvent|FSReq)/

function open(): string[] {
  return [...process.getActiveResourcesInfo().filter((name) => WATCHED.test(name)), ...files()]
}

/** Open files, where the system lists them. */
function files(): string[] {
  try {
    return readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        const path = readlinkSync(`/proc/self/fd/${fd}`)
        return path.startsWith('/') && !path.startsWith('/proc/') ? path : []
      } catch {
        return [] // that of the listing itself
      }
    })
  } catch {
    return []
  }
}

function surplus(before: readonly string[], after: readonly string[]): string[] {
  const rest = [...before]
  return after.filter((one) => {
    const known = rest.indexOf(one)
    if (known >= 0) rest.splice(known, 1)
    return known < 0
  })
}
