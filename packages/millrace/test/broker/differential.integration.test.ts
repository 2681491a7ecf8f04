/** The embedded broker against Apache Kafka: the same scripts, the same answers. */
import { describe, expect, test } from 'vitest'
import { startBroker } from '../../src/broker/index.ts'
import { bootstrapServers, isEmbedded, uniqueName } from '../support/broker.ts'
import { comparable, scriptOf } from '../support/differential.ts'
import { sideOf } from '../support/differential-script.ts'
import { RawClient } from '../support/raw-client.ts'

const SCRIPTS = Number(process.env['MILLRACE_DIFFERENTIAL_SCRIPTS'] ?? 40)
const FIRST = Number(process.env['MILLRACE_DIFFERENTIAL_SEED'] ?? 1)
const STEPS = 40

describe.skipIf(isEmbedded)('the embedded broker', () => {
  test(`answers ${SCRIPTS} random scripts as Apache Kafka does`, async () => {
    await using broker = await startBroker({ autoCreateTopics: false, groups: { minSessionTimeoutMs: 1000 } })
    for (let seed = FIRST; seed < FIRST + SCRIPTS; seed++) {
      using apache = await RawClient.connect(bootstrapServers())
      using embedded = await RawClient.connect(broker.bootstrapServers)
      const sides = [sideOf(apache), sideOf(embedded)] as const
      const name = uniqueName(`differential-${seed}`)
      const done: string[] = []
      for (const step of scriptOf(seed, name, STEPS)) {
        done.push(step.name)
        const wanted = comparable(await step.run(sides[0]))
        const given = comparable(await step.run(sides[1]))
        expect(given, `seed ${seed}:\n${done.slice(-8).join('\n')}`).toEqual(wanted)
      }
    }
  })
})
