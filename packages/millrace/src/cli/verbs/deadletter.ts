/** Commands about dead letters. */
import { CONNECTION } from './connection-options.ts'
import { READING, type Verb } from './verb.ts'

export const deadletter = {
  name: 'deadletter',
  summary: 'replay dead letters: write their records back to their topics',
  arguments: [
    { usage: '<action>', doc: 'replay', values: ['replay'] },
    { usage: '[file]', doc: 'pipeline file that writes dead letters, or a file of dead letters; or use --topic' },
  ],
  options: [
    { flags: '-t, --topic <topic>', doc: 'topic that holds the dead letters' },
    ...CONNECTION,
    ...READING,
    { flags: '--to <topic>', doc: 'topic to write to, instead of the topic each record came from' },
    { flags: '--code <code>', doc: 'replay only dead letters with this error code, such as DECODE_FAILED' },
    { flags: '-n, --max <count>', doc: 'read at most this many dead letters', value: 'count' },
    { flags: '--yes', doc: 'write the records; without this option they are only listed' },
  ],
  help: `
Each record is written back as it was read: key, value, headers and timestamp, without the headers that the dead letter
added. A dead letter is replayed only once: progress is kept in a consumer group (for a topic) or in FILE.replayed beside
the file, even if you first replay only some of them with --code. From a topic to the same brokers, replay is exactly-once, in transactions; otherwise it
is at-least-once.

Examples:
  millrace deadletter replay orders.yaml                             list what would be replayed
  millrace deadletter replay orders.yaml --code STAGE_FAILED --yes   replay one kind of error
  millrace deadletter replay --topic orders-dead --to orders-repair --max 100 --yes
  millrace deadletter replay dead.jsonl -b localhost:9092 --yes`,
  run: async ([action, file]: [string, string | undefined], options) =>
    (await import('../deadletter.ts')).deadletter(action, file, options),
} satisfies Verb<import('../deadletter.ts').DeadletterOptions>
