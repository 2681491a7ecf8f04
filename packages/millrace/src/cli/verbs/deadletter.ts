/** Commands about dead letters. */
import { CONNECTION } from './connection-options.ts'
import { READING, type Verb } from './verb.ts'

export const deadletter = {
  name: 'deadletter',
  summary: 'put the records of dead letters back into their topics',
  arguments: [
    { usage: '<action>', doc: 'replay', values: ['replay'] },
    { usage: '[file]', doc: 'pipeline file that writes dead letters, or a file of them; or use --topic' },
  ],
  options: [
    { flags: '-t, --topic <topic>', doc: 'topic of dead letters' },
    ...CONNECTION,
    ...READING,
    { flags: '--to <topic>', doc: 'topic to write to, instead of the one that each record came from' },
    { flags: '--code <code>', doc: 'only those that failed with this error code, for instance DECODE_FAILED' },
    { flags: '-n, --max <count>', doc: 'look at so many letters at the most', value: 'count' },
    { flags: '--yes', doc: 'do it; without this the letters are only shown' },
  ],
  help: `
Each record goes back as it was read: key, value, headers and time, without what the dead letter added. Letters that were
put back are not put back again: a topic has a consumer group for that, a file FILE.replayed beside it, each filter its own.
From a topic to the same brokers, each letter is put back exactly once, in transactions; else at least once.

Examples:
  millrace deadletter replay orders.yaml                             shows what would be put back
  millrace deadletter replay orders.yaml --code STAGE_FAILED --yes   does it, for one kind of error
  millrace deadletter replay --topic orders-dead --to orders-repair --max 100 --yes
  millrace deadletter replay dead.jsonl -b localhost:9092 --yes`,
  run: async ([action, file]: [string, string | undefined], options) =>
    (await import('../deadletter.ts')).deadletter(action, file, options),
} satisfies Verb<import('../deadletter.ts').DeadletterOptions>
