/** A folder like that of an installed Kafka, because a few tests start the scripts in its `bin`. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetchJars, javaBinary } from '../../../test-bed/java.ts'

const SCRIPTS = {
  'kafka-topics.sh': 'org.apache.kafka.tools.TopicCommand',
  'kafka-configs.sh': 'kafka.admin.ConfigCommand',
  'kafka-acls.sh': 'org.apache.kafka.tools.AclCommand',
  // The class comes as the first argument.
  'kafka-run-class.sh': '',
} as const

/** @returns the folder, for `KAFKA_PATH` */
export async function writeScripts(scratch: string): Promise<string> {
  const jars = await fetchJars()
  const folder = join(scratch, 'kafka')
  mkdirSync(join(folder, 'bin'), { recursive: true })
  symlinkSync(jars, join(folder, 'libs'))
  for (const [script, className] of Object.entries(SCRIPTS)) {
    const file = join(folder, 'bin', script)
    writeFileSync(file, `#!/bin/sh\nexec '${javaBinary()}' -Xmx256m -cp "$CLASSPATH:${jars}/*" ${className} "$@"\n`)
    chmodSync(file, 0o755)
  }
  return folder
}
