import type { Api, Loss, Proxy } from '../../test-bed/proxy.ts'
import type { Run } from '../run.ts'
import type { Scenario } from '../scenario.ts'
import type { Delivery } from '../settings.ts'

/** Requests whose answers count for the guarantee. */
const ANSWERS: Readonly<Record<Delivery, readonly Api[]>> = {
  at_least_once: ['Produce', 'OffsetCommit', 'Fetch', 'Heartbeat'],
  at_most_once: ['Produce', 'OffsetCommit', 'Fetch', 'Heartbeat'],
  exactly_once: ['EndTxn', 'TxnOffsetCommit', 'Produce', 'AddPartitionsToTxn', 'InitProducerId'],
}
const REQUEST_TIMEOUT_MS = 2000
/** How long to wait for a request of a kind; a broker may not need it, as AddPartitionsToTxn with transactions version 2. */
const PATIENCE_MS = 3000
const SLOW_MS = 2000

type Fault = readonly [name: string, happen: (run: Run, proxy: Proxy) => Promise<boolean>]

export const lostAnswer: Scenario = {
  name: 'lost-answer',
  summary: 'a proxy loses answers, cuts connections, lets them hang, delays and trickles',
  bed: 'proxied',
  breaks: ['connection'],
  async disturb(run) {
    const { random, bed } = run.context
    const patience = { 'request.timeout.ms': REQUEST_TIMEOUT_MS }
    for (const name of ['one', 'two']) run.worker(name, { quick: { source: patience, sink: patience } }).start()
    await run.works()
    const faults = [
      ...ANSWERS[run.context.setting.delivery].flatMap((api) => [lose(api, 'cut'), lose(api, 'silence')]),
      ...CONNECTION_FAULTS,
    ]
    while (run.goesOn) {
      for (const [name, happen] of random.shuffle(faults)) {
        if (!run.goesOn) break
        if (await happen(run, random.pick(bed.proxies))) run.fault(name)
        await run.wait(random.between(0, 1000))
      }
    }
  },
}

function lose(api: Api, loss: Loss): Fault {
  return [
    `${api}-${loss}`,
    async (run) => {
      const { proxies } = run.context.bed
      let isLost = false
      // Whichever broker is asked.
      for (const proxy of proxies) void proxy.loseAnswer(api, loss).then(() => (isLost = true))
      await run.until(`${api} was answered`, () => isLost || !run.goesOn, PATIENCE_MS).catch(() => {})
      for (const proxy of proxies) proxy.keepAnswers(api)
      return isLost
    },
  ]
}

const CONNECTION_FAULTS: readonly Fault[] = [
  ['cut', (_, proxy) => Promise.resolve(proxy.cut() > 0)],
  [
    'half-open',
    (_, proxy) => {
      proxy.silence()
      return Promise.resolve(true)
    },
  ],
  [
    'delay',
    async (run, proxy) => {
      proxy.delayMs = 200
      await run.wait(SLOW_MS)
      proxy.delayMs = 0
      return true
    },
  ],
  [
    'trickle',
    async (run, proxy) => {
      proxy.bytesPerSecond = 2000
      await run.wait(SLOW_MS)
      proxy.bytesPerSecond = Infinity
      return true
    },
  ],
]
