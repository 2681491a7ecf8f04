import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Bed } from '../bed.ts'
import { endWithUs, millrace, runNode } from '../child.ts'
import { type CaseResult, merge, race } from '../measure.ts'
import type { Bench, Case } from './case.ts'

const RECORDS = 6_000_000
/** So that nothing is deleted while it is needed. */
const RETENTION_BYTES = 4_000_000_000

export const broker: Case = {
  name: 'broker',
  summary: 'the embedded broker against Apache Kafka: 6 million records of 100 bytes, written and read by Millrace',
  async run(bench) {
    const records = bench.scaled(RECORDS)
    const { bed: embedded, child } = await startEmbedded()
    try {
      await sleep(2000)
      const idleMegabytes = residentMegabytes(child)
      const results = [
        await race(await producing(bench, embedded, records), { ...bench, only: undefined }),
        await race(await consuming(bench, embedded, records), { ...bench, only: undefined }),
      ]
      const brokerMegabytes = {
        idle: idleMegabytes,
        bareNode: await bareNodeMegabytes(),
        after: residentMegabytes(child),
      }
      return { ...named(merge(results)), brokerMegabytes }
    } finally {
      await embedded.stop()
    }
  },
}

type Contenders = Parameters<typeof race>[0]

async function producing(bench: Bench, embedded: Bed, records: number): Promise<Contenders> {
  const write = (bed: Bed) => async () => {
    const topic = await bed.createTopic(bed.name('produced'))
    const sample = await runNode('millrace-produce', { bootstrapServers: bed.bootstrapServers, topic, records })
    await bed.waitForRecords(topic, records)
    await bed.deleteTopic(topic)
    return sample
  }
  return [
    { name: 'produce', side: 'ours', run: write(embedded) },
    { name: 'produce-kafka', side: 'peers', run: write(bench.bed) },
  ]
}

async function consuming(bench: Bench, embedded: Bed, records: number): Promise<Contenders> {
  const read = async (bed: Bed) => {
    const topic = await bed.createTopic(bed.name('hundred-bytes'))
    const { bootstrapServers } = bed
    await runNode('millrace-produce', { bootstrapServers, topic, records })
    return () =>
      runNode('millrace-consume', { bootstrapServers, topic, groupId: bed.name('bench'), records, mode: 'batches' })
  }
  return [
    { name: 'consume', side: 'ours', run: await read(embedded) },
    { name: 'consume-kafka', side: 'peers', run: await read(bench.bed) },
  ]
}

/** Both races have Apache Kafka as their only peer, so that the pair need not be named twice. */
function named(result: CaseResult): CaseResult {
  const short = (ratios: CaseResult['ratios']): CaseResult['ratios'] =>
    Object.fromEntries(
      Object.entries(ratios).map(([pair, ratio]) => [pair.replace(/^(\w+)\/\1-kafka$/, '$1/kafka'), ratio]),
    )
  return {
    ...result,
    ratios: short(result.ratios),
    ...(result.cpuRatios === undefined ? {} : { cpuRatios: short(result.cpuRatios) }),
  }
}

/** The broker as users have it: a process of its own. */
async function startEmbedded(): Promise<{ bed: Bed; child: ChildProcess }> {
  const args = ['broker', '--port', '0', '--json', '--retention-bytes', String(RETENTION_BYTES)]
  // For profiles, such as `BROKER_NODE_OPTIONS='--cpu-prof --cpu-prof-dir=/tmp/profiles'`.
  const options = (process.env['BROKER_NODE_OPTIONS'] ?? '').split(' ').filter((option) => option !== '')
  const child = spawn(process.execPath, [...options, millrace(), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  endWithUs(child)
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const { result } = JSON.parse(line.toString()) as { result: { bootstrapServers: string } }
  const stop = async (): Promise<void> => {
    const ended = once(child, 'close')
    child.kill('SIGINT')
    await ended
  }
  return { bed: Bed.at(result.bootstrapServers, stop), child }
}

/** Resident size of a process now, in units of 10^6 bytes; 0 where there is no `/proc`. */
function residentMegabytes({ pid }: ChildProcess): number {
  try {
    const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Math.round((Number(kilobytes) * 1024) / 1e6)
  } catch {
    return 0
  }
}

/** Of a Node that does nothing. */
async function bareNodeMegabytes(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log(1)'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  endWithUs(child)
  await once(child.stdout, 'data')
  await sleep(2000)
  const megabytes = residentMegabytes(child)
  child.kill()
  return megabytes
}
