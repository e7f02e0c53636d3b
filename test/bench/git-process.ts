import process from 'node:process';
import { startGitServer } from '../support/git-server.ts';

// Serves the repository from a process of its own, as a Git provider does: what it starts would hold up the thread that is measured.

const git = await startGitServer();
git.add('bench/fleet.git', process.argv[2] ?? '');
process.on('disconnect', () => process.exit());
process.send?.(git.url);
