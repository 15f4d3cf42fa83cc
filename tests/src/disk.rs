//! A small file system that can be full. Only root may mount one.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// A mounted file system; it is unmounted on drop.
#[derive(Debug)]
pub struct Disk {
    folder: TempDir,
}

fn run(program: &str, args: &[&str]) -> bool {
    let output = Command::new(program).args(args).output();
    output.is_ok_and(|output| output.status.success())
}

impl Disk {
    /// Creates and mounts a file system; `None` if this machine does not permit it.
    #[must_use]
    pub fn mount(mebibytes: u64) -> Option<Self> {
        let disk = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let image = disk.folder.path().join("image");
        let file = File::create(&image).unwrap();
        file.set_len(mebibytes * 1024 * 1024).unwrap();
        std::fs::create_dir(disk.path()).unwrap();
        let (image, path) = (image.to_str().unwrap(), disk.path());
        let mounted = run("mkfs.ext4", &["-q", "-F", image])
            && run("mount", &["-o", "loop", image, path.to_str().unwrap()]);
        mounted.then_some(disk)
    }

    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    pub fn fill(&self) {
        let mut file = File::create(self.filler()).unwrap();
        for size in [64 * 1024, 512] {
            while file.write_all(&vec![b'x'; size]).is_ok() {}
        }
    }

    pub fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &["--lazy", self.path().to_str().unwrap()]);
    }
}
