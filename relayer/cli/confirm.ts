// Asks before something that cannot be taken back.
import type { Context } from './command.ts'
import { RefusedError } from './exit.ts'

/**
 * Shows what is about to happen and waits for "yes"; with `--yes` it goes on at once.
 * @throws RefusedError for another answer, or where nobody is there to answer
 */
export async function confirmed(
  { io }: Context,
  { yes }: { readonly yes?: true },
  lines: readonly string[],
): Promise<void> {
  for (const line of lines) io.err(line)
  if (yes === true) return
  if (!io.interactive) throw new RefusedError('confirm: nobody is there to answer', { hint: 'give --yes' })
  const answer = await io.ask('Type yes to go on: ')
  if (answer.trim().toLowerCase() !== 'yes')
    throw new RefusedError('confirm: not confirmed, nothing was done')
}
