import type { Scenario } from '../scenario.ts'

const GONE_MS = 30_000

export const breaker: Scenario = {
  name: 'breaker',
  summary: 'the output broker is gone for 30 s and comes back; a circuit breaker pauses the pipeline meanwhile',
  brokers: 'proxied',
  async disturb(run) {
    const { bed, seconds, random } = run.context
    const [proxy] = bed.proxies
    const worker = run.worker('patient', {
      source: { bootstrapServers: bed.bootstrapServers },
      sink: { flushTimeout: 'PT2S', 'request.timeout.ms': 2000 },
      file: { circuitBreaker: { failureThreshold: 1, timeout: 'PT1S' } },
    })
    worker.start()
    while (run.goesOn) {
      await run.until('a first offset was committed', async () => (await run.committed()).size > 0)
      await run.wait(random.between(0, 2000))
      await proxy!.down()
      run.fault('gone')
      await run.wait(Math.min(GONE_MS, (seconds * 1000) / 2))
      await proxy!.up()
      await run.wait(random.between(2000, 5000))
    }
  },
}
