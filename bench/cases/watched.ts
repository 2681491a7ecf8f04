import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from '../../test-bed/probe.ts'
import { type Contender, merge, race, type Sample } from '../measure.ts'
import type { Case } from './case.ts'
import { consumer, hundredByteTopic } from './consume.ts'
import { orderFile, orderTopic, runPipeline } from './copy.ts'

/** Several times those of the cases of the same name, so that a run lasts for some snapshots. */
const RECORDS = { consume: 40_000_000, orders: 12_000_000 }

/** What is scraped every so many milliseconds; Prometheus asks every 15 s unless told otherwise. */
const SCRAPE_MS = 5000

export const watched: Case = {
  name: 'watched',
  summary:
    'what metrics, the HTTP server, a scraper and an open dashboard cost: consume, copy and filter with and without',
  async run({ only, ...bench }) {
    const records = { consume: bench.scaled(RECORDS.consume), orders: bench.scaled(RECORDS.orders) }
    const hundredBytes = await hundredByteTopic({ ...bench, only }, records.consume)
    const orders = await orderTopic({ ...bench, only }, await orderFile({ ...bench, only }), records.orders, 'none')
    const filter = [{ $match: { amount: { $gte: 100 } } }]
    const pipeline = (stages: readonly object[], port?: number): Promise<Sample> =>
      runPipeline(
        { ...bench, only },
        orders,
        records.orders,
        stages,
        {},
        {},
        {},
        port === undefined ? [] : ['--http', String(port)],
      )
    const kinds: Record<string, (port?: number) => Promise<Sample>> = {
      consume: (http) =>
        consumer({ ...bench, only }, hundredBytes, 'millrace-consume', records.consume, { mode: 'batches', http })(),
      copy: (port) => pipeline([], port),
      filter: (port) => pipeline(filter, port),
    }
    const results = []
    for (const [name, run] of Object.entries(kinds)) {
      if (only !== undefined && !only.includes(name)) continue
      const contenders: Contender[] = [
        { name: `${name}-watched`, side: 'ours', run: () => whileWatched(run) },
        { name, side: 'peers', run: () => run() },
      ]
      results.push(await race(contenders, { ...bench, only: undefined }, [`${name}-watched/${name}`]))
    }
    return merge(results)
  },
}

/** Runs something at whose port a tab of the dashboard is open, and which is scraped. */
async function whileWatched(run: (port: number) => Promise<Sample>): Promise<Sample> {
  const [port = 0] = await freePorts(1)
  const over = new AbortController()
  const watching = [
    keepAsking(`http://127.0.0.1:${port}/stream`, 100, over.signal),
    keepAsking(`http://127.0.0.1:${port}/metrics`, SCRAPE_MS, over.signal),
  ]
  try {
    const sample = await run(port)
    over.abort()
    const [received] = await Promise.all(watching)
    if (received === 0) throw new Error('The stream of the dashboard has sent nothing')
    return sample
  } finally {
    over.abort()
  }
}

/** Reads what an address sends to its end, again and again, as a tab and as a scraper do. @returns how many bytes came */
async function keepAsking(url: string, pauseMs: number, signal: AbortSignal): Promise<number> {
  let received = 0
  while (!signal.aborted) {
    try {
      const { body } = await fetch(url, { signal })
      for await (const chunk of body ?? []) received += chunk.byteLength
    } catch {
      // It is not there yet, has just ended, or need not be watched any more.
    }
    await sleep(pauseMs, undefined, { signal }).catch(() => {})
  }
  return received
}
