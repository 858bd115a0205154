// The command line of the small scripts: --help says what they do, and what they do not know is one line and exit code 2.

/**
 * Handles `--help` and unknown arguments, either of which ends the process; gives the flags that were set.
 * @param help what the script does; its first word is its name
 * @param known flags that it takes, without values
 */
export function flagsOf(help: string, known: readonly string[] = []): ReadonlySet<string> {
  const args = process.argv.slice(2)
  if (args.includes('--help')) {
    console.log(help)
    process.exit(0)
  }
  const [unknown] = args.filter((arg) => !known.includes(arg))
  if (unknown !== undefined) {
    console.error(`${help.split(/[\s:]/)[0]}: it knows no ${JSON.stringify(unknown)}: see --help`)
    process.exit(2)
  }
  return new Set(args)
}
