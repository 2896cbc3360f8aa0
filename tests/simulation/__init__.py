"""The realtime core of several processes in virtual time: every order of steps and every fault, by a seed."""
