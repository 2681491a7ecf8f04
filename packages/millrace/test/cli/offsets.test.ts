import { describe, expect, test } from 'vitest'
import { targetOf } from '../../src/cli/offsets.ts'
import { cli } from '../support/cli.ts'
import { pipelineFile } from '../support/pipelines.ts'

describe('where offsets are reset to', () => {
  test.each([
    ['earliest', 'earliest'],
    ['latest', 'latest'],
    ['42', { offset: 42 }],
    ['+10', { shiftBy: 10 }],
    ['-10', { shiftBy: -10 }],
    ['2026-01-31T00:00:00Z', { timestampMs: Date.UTC(2026, 0, 31) }],
    ['2026-01-31', { timestampMs: Date.UTC(2026, 0, 31) }],
  ])('%s', (text, target) => expect(targetOf(text)).toEqual(target))

  test.each(['run', 'tomorrow', '1.5', '--5', ''])('is not "%s"', (text) =>
    expect(() => targetOf(text)).toThrow(`Cannot reset offsets to "${text}" as it must be earliest, latest, a time`),
  )
})

describe('without a group', () => {
  test.each([
    [[], 'name a pipeline file, or a group with --group'],
    [['--group', 'g', '--yes'], 'Cannot use --yes without --reset-to'],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await cli(['offsets', ...args])
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
  })

  test('a file that does not read from Kafka has none', async () => {
    const file = await pipelineFile({ source: { type: 'generate', records: 1 }, sink: { type: 'stdout' } })
    const { code, stderr } = await cli(['offsets', file])
    expect([code, stderr]).toEqual([2, expect.stringContaining('as it reads from "generate", not from Kafka')])
  })
})
