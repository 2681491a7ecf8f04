/** Commands about consumer groups. */
import { CONNECTION } from './connection-options.ts'
import { READING, WHICH, type Verb } from './verb.ts'

export const offsets = {
  name: 'offsets',
  summary: 'show the offsets, lag and members of a consumer group, or reset its offsets',
  arguments: [{ usage: '[file]', doc: 'pipeline file whose source names the group; or use --group' }],
  options: [
    { flags: '-g, --group <group>', doc: 'consumer group' },
    { flags: '-t, --topic <topic>', doc: 'only this topic (default: those of the file, or all of the group)' },
    { flags: '--partition <number>', doc: 'only this partition', value: 'index' },
    ...CONNECTION,
    ...READING,
    ...WHICH,
    {
      flags: '--reset-to <where>',
      doc: 'where the group continues: earliest, latest, a time such as 2026-01-31T00:00:00Z, an offset such as 42, or a shift such as +10 or -10',
    },
    { flags: '--yes', doc: 'reset the offsets; without it, only list what would change' },
  ],
  help: `
Shows for each partition the committed offset, the end of the log, the lag, and the member that reads it. The lag is a
difference of offsets; a topic that is compacted or written in transactions holds fewer records.

--reset-to changes the committed offsets, from which the next run continues. Stop all runs of the group first: the brokers
refuse it while the group has members. An offset outside the log becomes the nearest one in it.

Examples:
  millrace offsets orders.yaml
  millrace offsets --group orders-etl -b kafka:9092
  millrace offsets orders.yaml --reset-to earliest                     list what would change
  millrace offsets orders.yaml --reset-to 2026-01-31T00:00:00Z --yes   continue with the first records of that day
  millrace offsets orders.yaml --partition 2 --reset-to +1 --yes       skip one record`,
  run: async ([file]: [string | undefined], options) => (await import('../offsets.ts')).offsets(file, options),
} satisfies Verb<import('../offsets.ts').OffsetsOptions>
