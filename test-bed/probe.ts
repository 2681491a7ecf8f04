/** What can be asked of a port or a process without any Kafka client. */

import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'

const METADATA = 3

/**
 * Asks a broker how many brokers are up: a Metadata request, version 1, with an empty list of topics.
 *
 * @returns 0 when nothing answers within the time
 */
export async function countBrokers(host: string, port: number, timeoutMs = 5000): Promise<number> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const answer = (count: number) => {
      socket.destroy()
      resolve(count)
    }
    const request = Buffer.alloc(18)
    request.writeInt32BE(14, 0) // length of what follows
    request.writeInt16BE(METADATA, 4)
    request.writeInt16BE(1, 6) // version
    request.writeInt32BE(1, 8) // correlation id
    request.writeInt16BE(-1, 12) // no client id
    request.writeInt32BE(0, 14) // no topics
    let received = Buffer.alloc(0)
    socket.setTimeout(timeoutMs, () => answer(0))
    socket.on('error', () => answer(0))
    socket.on('close', () => answer(0))
    socket.on('connect', () => socket.write(request))
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      // Length, correlation id, number of brokers.
      if (received.length >= 12) answer(received.readInt32BE(8))
    })
  })
}

/**
 * Finds ports of the loopback interface that nobody uses.
 *
 * They lie below the range from which systems take the ports of outgoing connections: a broker that
 * was killed must find its own port free when it comes back.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = 15_000 + Math.floor(Math.random() * 17_000)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

/** Finds the first of so many ports in a row that nobody uses, where {@link freePorts} looks. */
export async function freePortRange(count: number): Promise<number> {
  for (;;) {
    const [first] = await freePorts(1)
    const others = Array.from({ length: count - 1 }, (_, i) => first! + 1 + i)
    if ((await Promise.all(others.map(isFree))).every(Boolean)) return first!
  }
}

async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/**
 * Tells whether a process is alive and was started with a certain argument.
 *
 * The argument guards against a process id that meanwhile belongs to somebody else. Where there is no `/proc` it is not checked.
 */
export function isProcess(pid: number, argument: string): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    // Neither a process that is just being started has a command line, nor one that has ended and that nobody has waited for.
    return commandLine === '' ? !hasEnded(pid) : commandLine.includes(argument)
  } catch {
    return process.platform !== 'linux'
  }
}

/** Whether a process is only an entry of the system's table. The state follows the name, which stands in parentheses and may hold any. */
function hasEnded(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return /^ [ZX]/.test(stat.slice(stat.lastIndexOf(')') + 1))
}

/** Waits until a condition holds, asking every 20 ms. */
export async function waitUntil(condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > end) return false
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return true
}
