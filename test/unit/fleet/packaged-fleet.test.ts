import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FleetError, loadFleet } from '../../../lib/fleet/load-fleet.ts';
import { packFleet } from '../../../lib/fleet/pack-fleet.ts';
import { isPackagedFleet, packagedFleet } from '../../../lib/fleet/packaged-fleet.ts';

const EXAMPLE = await readFile(join(import.meta.dirname, '../../../infra/aws/example.yaml'), 'utf8');

describe('a packaged fleet file', () => {
  test('is read as the fleet file that it was made of, from where it lies', () => {
    const { storage: _, ...read } = packagedFleet(packFleet(EXAMPLE), '/var/task/fleet.json');
    const { storage: __, ...written } = loadFleet(EXAMPLE, { path: '/var/task/fleet.json' });
    expect(read).toEqual(written);
    expect(read).toMatchObject({ path: '/var/task/fleet.json', baseDirectory: '/var/task' });
  });

  test('holds nothing of the machine that made it, and is the same each time', () => {
    expect(packFleet(EXAMPLE)).toBe(packFleet(EXAMPLE));
    expect(packFleet(EXAMPLE)).not.toContain(process.cwd());
  });

  test('is not made of a fleet file with faults', () => {
    expect(() => packFleet('clusters: [{name: prod}]\nproviders: none\n')).toThrow(FleetError);
  });

  test('is told from one that is written by hand, which is checked where it is read', () => {
    expect(isPackagedFleet(packFleet(EXAMPLE))).toBe(true);
    for (const text of [EXAMPLE, '{"clusters": []}', '{}', '', 'packagedFleet: 1\n'])
      expect(isPackagedFleet(text), text).toBe(false);
    expect(() => loadFleet(packFleet(EXAMPLE), { path: '/fleet.json' })).toThrow(/unknown field/);
  });

  test('is refused when it is damaged, naming it', () => {
    expect(() => packagedFleet(packFleet(EXAMPLE).slice(0, -9), '/var/task/fleet.json')).toThrow(
      'the packaged fleet file /var/task/fleet.json is damaged; package the functions again',
    );
  });
});
