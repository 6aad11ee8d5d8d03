import { type Climb, climb, type Sealed, verifyHead } from '../../network/reader/opened.ts'
import { type Ground, trustGenesis } from '../../network/reader/trust.ts'
import type { Chain } from './read.ts'

/**
 * A certified head from the config alone: genesis and the first roster are computed, every handover after it is certified by the committee
 * before, and the head by the last.
 *
 * @throws CheckError, WithstandError, RosterError
 */
export const reach = async (ground: Ground, { steps, certificate }: Chain): Promise<Sealed> => {
  let climbed: Climb = { committee: trustGenesis(ground).next, last: null }
  for (const step of steps) climbed = await climb(ground, climbed, step)
  return verifyHead(ground, climbed, certificate)
}
