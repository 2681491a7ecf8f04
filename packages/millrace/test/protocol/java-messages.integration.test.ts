import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileJava } from '../../../../test-bed/java.ts'
import { ERROR } from '../../src/protocol/error-codes.ts'
import type { Field, Fields, Structure } from '../../src/protocol/schema.ts'
import { joined, Writer } from '../../src/protocol/writer.ts'
import { javaAvailable, javaTool } from '../support/broker.ts'
import { allMessages, structures, versionsOf } from '../support/protocol-messages.ts'

const SOURCE = join(import.meta.dirname, '../fixtures/protocol/CompareMessages.java')
const SAMPLES = 8

describe.skipIf(!javaAvailable)('the protocol', () => {
  test("has Kafka's error codes; every message in every version is written as Kafka's own code writes it, and read by it", async () => {
    const lines: string[] = []
    for (const message of await allMessages()) {
      for (const version of versionsOf(message)) {
        for (const value of fc.sample(structures(message.fields, version), { numRuns: SAMPLES, seed: 43 })) {
          const writer = new Writer()
          message.write(writer, version, value)
          const hex = joined(writer.finish()).toString('hex')
          const line = { name: message.name, version, value: toJson(message.fields, value), hex }
          lines.push(JSON.stringify(line).replaceAll(/"number:([^"]+)"/g, '$1'))
        }
      }
    }
    const folder = mkdtempSync(join(tmpdir(), 'millrace-messages-'))
    try {
      await compileJava(SOURCE, folder)
      const { stdout } = await javaTool('CompareMessages', [], { classPath: [folder], stdin: lines.join('\n') })
      const { errors = [], others = [] } = Object.groupBy(stdout.trimEnd().split('\n'), (line) =>
        line.startsWith('error ') ? 'errors' : 'others',
      )
      expect(errors.toSorted()).toEqual(
        Object.entries(ERROR)
          .map((entry) => `error ${entry.join(' ')}`)
          .toSorted(),
      )
      const [total, ...differences] = others.toReversed()
      expect(differences.map((line) => line.slice(0, 500))).toEqual([])
      expect(total).toBe(`${lines.length} compared`)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

/** A structure as Kafka's JSON converters have it: bytes in base64, and 64-bit and floating numbers as Java wants them. */
function toJson(fields: Fields, value: Structure): Structure {
  const given = fields.filter(({ name }) => value[name] !== undefined)
  return Object.fromEntries(given.map((field) => [field.name, fieldJson(field, value[field.name])]))
}

function fieldJson(field: Field, value: unknown): unknown {
  if (value === null) return null
  return field.array === true ? (value as unknown[]).map((item) => elementJson(field, item)) : elementJson(field, value)
}

function elementJson({ type }: Field, value: unknown): unknown {
  if (typeof type !== 'string') return toJson(type, value as Structure)
  if (type === 'bytes' || type === 'records') return Buffer.from(value as Uint8Array).toString('base64')
  // The largest number has no double of its own.
  if (type === 'int64') return `number:${value === 2 ** 63 ? 2n ** 63n - 1n : BigInt(value as number)}`
  if (type === 'float64') return `number:${Object.is(value, -0) ? '-0.0' : (value as number).toExponential()}`
  return value
}
