import { Chance } from '../simulation/chance.ts';

/** How large a load is, and what happens to its deliveries. */
export interface LoadSize {
  pushes: number;
  repositories: number;
  /** Objects of each repository. */
  objects: number;
  /** Pushes in a second, over all repositories. */
  pushesPerSecond: number;
  /** The part of the deliveries that never arrive, and the part that arrive twice. */
  dropped: number;
  duplicated: number;
}

/** What a repository holds at one of its commits: the names of its objects, each with the number of the commit that wrote it last. */
export type Contents = ReadonlyMap<string, number>;

/** What the names of teams begin with. */
export const TEAM = 'team-';

/** A repository, whose objects are those of the namespace of the same name. */
export interface Team {
  name: string;
  /** Its commits in their order; the first is there before the load begins. */
  commits: Contents[];
}

/** A commit that comes to the branch of a repository. */
export interface Push {
  /** Counts all pushes, from 0. */
  number: number;
  team: Team;
  /** Which of the team's commits it brings. */
  commit: number;
  /** In ms after the begin of the load. */
  at: number;
  /** When its webhook is delivered, each in ms after the begin of the load: never, once or twice. */
  deliveries: number[];
}

/** Everything that is decided before a load begins. It follows from the seed alone. */
export interface Story {
  teams: Team[];
  pushes: Push[];
}

/** So much later than its push a delivery may come, in ms: pushes of a repository overtake each other. */
const LATEST_MS = 6_000;
/** The second of two deliveries may come still later. */
const LATEST_AGAIN_MS = 15_000;

/** The part of the objects that a commit changes. */
const CHANGED = 0.3;

/** How often a commit takes the last object of its team away, or brings it back. */
const COMES_AND_GOES = 0.15;

/** Makes up commits, pushes and deliveries. */
export function tellStory(size: LoadSize, seed: number): Story {
  const chance = new Chance(seed);
  const width = String(size.repositories).length;
  const teams = Array.from({ length: size.repositories }, (_, index): Team => {
    const names = Array.from({ length: size.objects }, (__, object) => `object-${object}`);
    return {
      name: `${TEAM}${String(index + 1).padStart(width, '0')}`,
      commits: [new Map(names.map((name) => [name, 0]))],
    };
  });
  // Every team has its share, in an order that nothing orders.
  const turns = shuffled(
    Array.from({ length: size.pushes }, (_, number) => teams[number % teams.length] as Team),
    chance,
  );
  const lastTurns = new Map(turns.map((team, number) => [team, number]));
  const pushes = turns.map((team, number): Push => {
    const before = team.commits.at(-1) ?? new Map();
    team.commits.push(nextContents(before, team.commits.length, lastTurns.get(team) === number, chance));
    const at = ((number + chance.next()) * 1_000) / size.pushesPerSecond;
    return { number, team, commit: team.commits.length - 1, at, deliveries: deliveriesOf(at, size, chance) };
  });
  return { teams, pushes };
}

/** The object that comes and goes. */
const FICKLE = 'object-0';

/** Changes some of the objects, at least one. The last commit brings back what was taken away, so that all of them end somewhere. */
function nextContents(before: Contents, commit: number, isLast: boolean, chance: Chance): Contents {
  const next = new Map(before);
  const steady = [...before.keys()].filter((name) => name !== FICKLE);
  const certain = steady[chance.below(steady.length)];
  for (const name of steady) if (name === certain || chance.next() < CHANGED) next.set(name, commit);
  const turns = isLast ? !before.has(FICKLE) : chance.next() < COMES_AND_GOES;
  if (turns && !next.delete(FICKLE)) next.set(FICKLE, commit);
  return next;
}

function deliveriesOf(at: number, { dropped, duplicated }: LoadSize, chance: Chance): number[] {
  const fate = chance.next();
  const first = at + chance.next() * LATEST_MS;
  const second = at + chance.next() * LATEST_AGAIN_MS;
  if (fate < dropped) return [];
  return fate < dropped + duplicated ? [first, second] : [first];
}

function shuffled<T>(items: readonly T[], chance: Chance): T[] {
  const left = [...items];
  for (let end = left.length - 1; end > 0; end--) {
    const other = chance.below(end + 1);
    [left[end], left[other]] = [left[other] as T, left[end] as T];
  }
  return left;
}
