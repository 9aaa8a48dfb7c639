"""Speed and robustness of whole commands. A regular package: pyarrow 17 installs another one."""
