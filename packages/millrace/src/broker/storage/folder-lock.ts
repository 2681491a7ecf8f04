/**
 * Keeps a second broker away from a folder: a file with the process that uses it. When that process has ended without removing
 * the file, the next broker takes the folder over.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '../../errors/index.ts'
import { unwritable } from '../../errors/unwritable.ts'

const NAME = 'broker.lock'

/** @returns releases the folder @throws {ConfigError} another broker uses it */
export function lockFolder(folder: string): () => void {
  const path = join(folder, NAME)
  const own = join(folder, `${NAME}.${process.pid}`)
  const text = `${JSON.stringify({ pid: process.pid, started: startOf(process.pid), host: hostname() })}\n`
  try {
    writeFileSync(own, text)
    for (;;) {
      if (take(own, path)) break
      const holder = readHolder(path)
      if (holder === undefined) continue
      if (isRunning(holder))
        throw new ConfigError(
          `Cannot use the folder "${folder}" as process ${holder.pid} on ${holder.host} runs a broker on it: stop that one, or choose another folder`,
        )
      // Moved before it is removed, so that only one of two brokers takes over.
      renameSync(path, `${own}.stale`)
      rmSync(`${own}.stale`)
    }
  } catch (error) {
    throw error instanceof ConfigError ? error : unwritable(`"${path}"`, error)
  } finally {
    rmSync(own, { force: true })
  }
  return () => rmSync(path, { force: true })
}

/** @returns false when there is one already */
function take(own: string, path: string): boolean {
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

interface Holder {
  readonly pid: number
  readonly started: string | null
  readonly host: string
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder
  } catch (error) {
    // It has just been removed.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function isRunning({ pid, started, host }: Holder): boolean {
  // Processes of another machine cannot be seen, so they are taken at their word.
  if (host !== hostname()) return true
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  // Another process may have got the number.
  return started === startOf(pid)
}

/** When a process began, in ticks since the machine did; null where the system does not tell. */
function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
