/* So many idle processes with this command line; they end with their parent. */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv) {
  for (int left = argc > 1 ? atoi(argv[1]) : 0; left > 0; left--) {
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) pause();
    }
  }
  if (write(1, "ready\n", 6) != 6) return 1;
  for (;;) pause();
}
