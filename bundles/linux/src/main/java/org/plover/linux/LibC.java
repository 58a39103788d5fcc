package org.plover.linux;

import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.annotations.IgnoreError;
import jnr.ffi.types.off_t;
import jnr.ffi.types.size_t;
import jnr.ffi.types.ssize_t;
import jnr.ffi.types.u_int64_t;

/**
 * The C library as jnr-ffi binds it. Addresses are plain numbers, so that no call wraps anything. Calls with variable
 * arguments are declared with the ones we pass: on x86-64 and aarch64 Linux integers travel the same way in both forms.
 * Public only because jnr-ffi has to see it; use {@link Linux} and {@link Memory}.
 */
public interface LibC {
    LibC INSTANCE = LibraryLoader.create(LibC.class).load("c");

    int open(String path, int flags, int mode);

    int close(int fd);

    @ssize_t long read(int fd, @u_int64_t long address, @size_t long bytes);

    @ssize_t long write(int fd, @u_int64_t long address, @size_t long bytes);

    @ssize_t long pread(int fd, @u_int64_t long address, @size_t long bytes, @off_t long offset);

    @ssize_t long pwrite(int fd, @u_int64_t long address, @size_t long bytes, @off_t long offset);

    int ioctl(int fd, @u_int64_t long request, @u_int64_t long argument);

    int fsync(int fd);

    int fdatasync(int fd);

    int ftruncate(int fd, @off_t long bytes);

    @off_t long lseek(int fd, @off_t long offset, int whence);

    int fallocate(int fd, int mode, @off_t long offset, @off_t long bytes);

    int fcntl(int fd, int command, @u_int64_t long argument);

    /** With pointers, because jffi 1.3.15 garbles the last of six arguments when all of them are numbers. */
    Pointer mmap(Pointer address, @size_t long bytes, int protection, int flags, int fd, @off_t long offset);

    int munmap(@u_int64_t long address, @size_t long bytes);

    int madvise(@u_int64_t long address, @size_t long bytes, int advice);

    int poll(@u_int64_t long address, @u_int64_t long count, int timeoutMillis);

    int eventfd(int initial, int flags);

    int socket(int family, int type, int protocol);

    int bind(int fd, @u_int64_t long address, int bytes);

    int listen(int fd, int backlog);

    int accept4(int fd, @u_int64_t long address, @u_int64_t long bytes, int flags);

    @ssize_t long send(int fd, @u_int64_t long address, @size_t long bytes, int flags);

    int shutdown(int fd, int how);

    int if_nametoindex(String name);

    @ssize_t long syscall(@u_int64_t long number, @u_int64_t long a, @u_int64_t long b, @u_int64_t long c, @u_int64_t long d);

    @ssize_t long ptrace(@u_int64_t long request, @u_int64_t long pid, @u_int64_t long address, @u_int64_t long data);

    int waitpid(int pid, @u_int64_t long status, int options);

    int kill(int pid, int signal);

    int getuid();

    @IgnoreError
    int memcmp(@u_int64_t long a, @u_int64_t long b, @size_t long bytes);

    @IgnoreError
    String strerror(int errno);
}
