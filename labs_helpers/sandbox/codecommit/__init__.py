"""AWS CodeCommit: bare git repositories, which git reaches by smart HTTP."""
